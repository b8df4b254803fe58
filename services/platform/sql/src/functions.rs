//! The functions a query may call. An allow-list: what reads files, sleeps, changes settings or is merely new is refused.

/// In lower case and sorted, so that they can be searched and shown.
pub const FUNCTIONS: &[&str] = &[
    "abs", "all_match", "any_match", "any_value", "approx_distinct", "approx_percentile", "arbitrary", "array_agg",
    "array_distinct", "array_join", "array_max", "array_min", "array_position", "array_sort", "arrays_overlap",
    "at_timezone", "avg", "bool_and", "bool_or", "cardinality", "ceil", "ceiling", "chr", "coalesce", "codepoint",
    "concat", "concat_ws", "contains", "corr", "count", "count_if", "cume_dist", "current_date", "current_timestamp",
    "date", "date_add", "date_diff", "date_format", "date_parse", "date_trunc", "day", "day_of_month", "day_of_week",
    "day_of_year", "dense_rank", "dow", "doy", "element_at", "every", "exp", "filter", "first_value", "flatten",
    "floor", "format_datetime", "from_base64", "from_hex", "from_iso8601_date", "from_iso8601_timestamp", "from_unixtime",
    "greatest", "hour", "if", "json_array_contains", "json_array_get", "json_array_length", "json_extract",
    "json_extract_scalar", "json_format", "json_parse", "json_size", "lag", "last_day_of_month", "last_value", "lead",
    "least", "length", "levenshtein_distance", "listagg", "ln", "log10", "log2", "lower", "lpad", "ltrim", "max",
    "max_by", "md5", "millisecond", "min", "min_by", "minute", "mod", "month", "none_match", "now", "nth_value", "ntile",
    "nullif", "parse_datetime", "percent_rank", "position", "pow", "power", "quarter", "rank", "regexp_count",
    "regexp_extract", "regexp_extract_all", "regexp_like", "regexp_replace", "regexp_split", "repeat", "replace",
    "reverse", "round", "row", "row_number", "rpad", "rtrim", "second", "sequence", "sha256", "sha512", "sign", "slice",
    "split", "split_part", "sqrt", "starts_with", "stddev", "stddev_pop", "stddev_samp", "strpos", "substr",
    "substring", "sum", "to_base64", "to_hex", "to_iso8601", "to_unixtime", "to_utf8", "transform", "translate", "trim",
    "truncate", "try", "typeof", "upper", "url_decode", "url_encode", "url_extract_fragment", "url_extract_host",
    "url_extract_parameter", "url_extract_path", "url_extract_port", "url_extract_protocol", "url_extract_query",
    "var_pop", "var_samp", "variance", "week", "week_of_year", "year",
];

/// Functions whose result depends on when they run.
pub const CLOCK_FUNCTIONS: &[&str] = &["current_date", "current_timestamp", "now"];

/// Whatever its case.
pub fn is_allowed_function(name: &str) -> bool {
    FUNCTIONS.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_and_holds_every_clock_function() {
        assert!(FUNCTIONS.is_sorted());
        assert!(CLOCK_FUNCTIONS.iter().all(|name| is_allowed_function(name)));
        assert!(is_allowed_function("JSON_Extract") && !is_allowed_function("pg_sleep"));
    }
}
