//! Function calls: each name is kept, replaced, taken apart, or refused.

use super::super::error::QueryError;
use super::build::{arrow_cast, bigint, boolean, call, case, function, not, text, text_of};
use super::rewrite_times::{TIMESTAMP_UTC, at_time_zone, date_part};
use mantissa_sql::Position;
use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, LambdaFunction, LambdaFunctionParameter, LambdaSyntax, NullTreatment, ObjectName,
    OneOrManyWithParens, OrderByExpr, OrderByOptions, Spanned, Value,
};

/// DataFusion means the same by them.
const KEPT: &[&str] = &[
    "array_agg",
    "array_distinct",
    "avg",
    "bool_and",
    "bool_or",
    "chr",
    "coalesce",
    "concat_ws",
    "corr",
    "count",
    "cume_dist",
    "current_date",
    "date_trunc",
    "dense_rank",
    "first_value",
    "flatten",
    "json_array_contains",
    "json_array_get",
    "json_array_length",
    "json_extract",
    "json_extract_scalar",
    "json_format",
    "json_parse",
    "json_size",
    "lag",
    "last_value",
    "lead",
    "lpad",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "percent_rank",
    "rank",
    "regexp_like",
    "row_number",
    "rpad",
    "rtrim",
    "starts_with",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "translate",
    "trim",
    "var_pop",
    "var_samp",
];

/// The same arguments under another name; those that begin with `trino_` are ours.
const RENAMED: &[(&str, &str)] = &[
    ("abs", "trino_abs"),
    ("array_join", "array_to_string"),
    ("arrays_overlap", "array_has_any"),
    ("any_match", "array_any_match"),
    ("cardinality", "trino_cardinality"),
    ("ceil", "trino_ceil"),
    ("ceiling", "trino_ceil"),
    ("codepoint", "ascii"),
    ("contains", "trino_contains"),
    ("date_add", "trino_date_add"),
    ("date_diff", "trino_date_diff"),
    ("date_format", "trino_date_format"),
    ("date_parse", "trino_date_parse"),
    ("element_at", "trino_element_at"),
    ("every", "bool_and"),
    ("exp", "trino_exp"),
    ("filter", "array_filter"),
    ("floor", "trino_floor"),
    ("from_iso8601_date", "trino_from_iso8601_date"),
    ("from_iso8601_timestamp", "trino_from_iso8601_timestamp"),
    ("from_unixtime", "trino_from_unixtime"),
    ("ln", "trino_ln"),
    ("log10", "trino_log10"),
    ("log2", "trino_log2"),
    ("lower", "trino_lower"),
    ("pow", "trino_power"),
    ("power", "trino_power"),
    ("regexp_count", "trino_regexp_count"),
    ("regexp_extract", "trino_regexp_extract"),
    ("regexp_extract_all", "trino_regexp_extract_all"),
    ("regexp_replace", "trino_regexp_replace"),
    ("regexp_split", "trino_regexp_split"),
    ("reverse", "trino_reverse"),
    ("round", "trino_round"),
    ("sign", "trino_sign"),
    ("split", "trino_split"),
    ("split_part", "trino_split_part"),
    ("sqrt", "trino_sqrt"),
    ("substr", "trino_substr"),
    ("substring", "trino_substr"),
    ("to_iso8601", "trino_to_iso8601"),
    ("to_unixtime", "trino_to_unixtime"),
    ("transform", "array_transform"),
    ("typeof", "trino_typeof"),
    ("upper", "trino_upper"),
    ("url_decode", "trino_url_decode"),
    ("url_encode", "trino_url_encode"),
    ("url_extract_fragment", "trino_url_extract_fragment"),
    ("url_extract_host", "trino_url_extract_host"),
    ("url_extract_parameter", "trino_url_extract_parameter"),
    ("url_extract_path", "trino_url_extract_path"),
    ("url_extract_port", "trino_url_extract_port"),
    ("url_extract_protocol", "trino_url_extract_protocol"),
    ("url_extract_query", "trino_url_extract_query"),
    ("variance", "var_samp"),
];

pub(super) fn rewrite_function(original: &Function) -> Result<Expr, QueryError> {
    let at: Position = original.name.span().into();
    let name = original.name.to_string().replace('"', "").to_lowercase();
    let renamed = |to: &str| {
        let mut renamed = original.clone();
        renamed.name = ObjectName::from(vec![Ident::new(to)]);
        Expr::Function(renamed)
    };
    // `COALESCE(condition, FALSE)` would become a CASE that names the condition twice.
    if name == "coalesce"
        && let [condition, Expr::Value(otherwise)] = arguments(original).as_slice()
        && otherwise.value == Value::Boolean(false)
    {
        return Ok(Expr::IsTrue(Box::new(Expr::Nested(Box::new(condition.clone())))));
    }
    // The engine turns plain expressions into LIKE, where a backslash that stands for itself would escape what follows.
    // It leaves groups alone.
    if name == "regexp_like"
        && let [subject, pattern] = arguments(original).as_slice()
        && let Some(pattern) = text_of(pattern).filter(|pattern| pattern.contains('\\'))
    {
        return Ok(call("regexp_like", vec![subject.clone(), text(&format!("({pattern})"))]));
    }
    if KEPT.contains(&name.as_str()) {
        return Ok(renamed(&name));
    }
    if let Some((_, to)) = RENAMED.iter().find(|(from, _)| *from == name) {
        return Ok(renamed(to));
    }
    let mut call_of = Call { name, at, original, arguments: arguments(original) };
    call_of.take_apart()
}

struct Call<'a> {
    name: String,
    at: Position,
    original: &'a Function,
    arguments: Vec<Expr>,
}

impl Call<'_> {
    fn take_apart(&mut self) -> Result<Expr, QueryError> {
        let name = self.name.clone();
        Ok(match name.as_str() {
            "none_match" => not(call("array_any_match", self.exactly::<2>()?.into())),
            "all_match" => {
                let [array, lambda] = self.exactly()?;
                let Expr::Lambda(LambdaFunction { params, body, syntax }) = lambda else {
                    return Err(self.invalid("expects a lambda"));
                };
                let negated = Expr::Lambda(LambdaFunction { params, body: Box::new(not(*body)), syntax });
                not(call("array_any_match", vec![array, negated]))
            }
            "try" => {
                let [body] = self.exactly()?;
                call("trino_try", vec![constant_lambda(body)])
            }
            "if" => match std::mem::take(&mut self.arguments).as_slice() {
                [condition, then] => case(condition.clone(), then.clone(), None),
                [condition, then, otherwise] => case(condition.clone(), then.clone(), Some(otherwise.clone())),
                _ => return Err(self.invalid("expects two or three arguments")),
            },
            "concat" => {
                let joined = std::mem::take(&mut self.arguments)
                    .into_iter()
                    .reduce(|left, right| binary(left, BinaryOperator::StringConcat, right));
                Expr::Nested(Box::new(joined.ok_or_else(|| self.invalid("expects arguments"))?))
            }
            "length" => bigint(call("character_length", self.exactly::<1>()?.into())),
            "strpos" => bigint(call("strpos", self.exactly::<2>()?.into())),
            "mod" => {
                let [left, right] = self.exactly()?;
                Expr::Nested(Box::new(binary(left, BinaryOperator::Modulo, right)))
            }
            "levenshtein_distance" => bigint(call("levenshtein", self.exactly::<2>()?.into())),
            "replace" => {
                if self.arguments.len() == 2 {
                    self.arguments.push(text(""));
                }
                call("replace", self.exactly::<3>()?.into())
            }
            "greatest" | "least" => self.null_if_any_is_null(&name),
            // NULL where an item is.
            "array_min" | "array_max" => {
                let [array] = self.exactly()?;
                let item = Ident::new("item");
                let is_null = lambda(item.clone(), Expr::IsNull(Box::new(Expr::Identifier(item))));
                let any_is_null = call("array_any_match", vec![array.clone(), is_null]);
                case(not(any_is_null), call(&name, vec![array]), None)
            }
            "array_sort" => {
                let [array] = self.exactly()?;
                call("array_sort", vec![array, text("ASC"), text("NULLS LAST")])
            }
            "md5" | "sha256" | "sha512" => {
                let [value] = self.exactly()?;
                call("digest", vec![value, text(&name)])
            }
            // Without names of their own, fields are told apart so.
            "row" => {
                let fields = std::mem::take(&mut self.arguments).into_iter().enumerate();
                call("named_struct", fields.flat_map(|(n, value)| [text(&format!("field{n}")), value]).collect())
            }
            "to_utf8" => arrow_cast(self.exactly::<1>()?[0].clone(), "Binary"),
            "to_hex" => call("upper", vec![self.encoded("encode", "hex")?]),
            "from_hex" => self.encoded("decode", "hex")?,
            "to_base64" => self.encoded("encode", "base64pad")?,
            "from_base64" => self.encoded("decode", "base64pad")?,
            "now" | "current_timestamp" => arrow_cast(call("now", Vec::new()), TIMESTAMP_UTC),
            "date" => {
                let [value] = self.exactly()?;
                super::build::cast(CastKind::Cast, value, DataType::Date)
            }
            "at_timezone" => {
                let [value, zone] = self.exactly()?;
                at_time_zone(value, &zone, self.at)?
            }
            "year" | "quarter" | "month" | "week" | "week_of_year" | "day" | "day_of_month" | "day_of_week" | "dow"
            | "day_of_year" | "doy" | "hour" | "minute" | "second" | "millisecond" => {
                let [value] = self.exactly()?;
                date_part(&name, value, self.at)?
            }
            "count_if" => {
                let [condition] = self.exactly()?;
                self.aggregate("count", vec![case(condition, boolean(true), None)])
            }
            "arbitrary" | "any_value" => {
                let [value] = self.exactly()?;
                let mut replaced = self.aggregate_function("first_value", vec![value])?;
                replaced.null_treatment = Some(NullTreatment::IgnoreNulls);
                Expr::Function(replaced)
            }
            "max_by" | "min_by" => self.value_at_extreme(name == "min_by")?,
            "approx_distinct" => {
                self.arguments.truncate(1);
                let arguments = std::mem::take(&mut self.arguments);
                self.aggregate("approx_distinct", arguments)
            }
            "approx_percentile" => {
                let [value, share] = self.exactly()?;
                let mut replaced = self.aggregate_function("approx_percentile_cont", vec![share])?;
                replaced.within_group = vec![order_by(value, true)];
                Expr::Function(replaced)
            }
            "listagg" => {
                if self.arguments.len() == 1 {
                    self.arguments.push(text(""));
                }
                let arguments = self.exactly::<2>()?.to_vec();
                let mut replaced = self.aggregate_function("string_agg", arguments)?;
                push_order(&mut replaced, self.original.within_group.clone());
                Expr::Function(replaced)
            }
            _ => return Err(QueryError::Unsupported { what: format!("the function `{name}`"), at: self.at }),
        })
    }

    fn exactly<const N: usize>(&mut self) -> Result<[Expr; N], QueryError> {
        std::mem::take(&mut self.arguments)
            .try_into()
            .map_err(|given: Vec<Expr>| self.invalid(&format!("expects {N} arguments, not {}", given.len())))
    }

    fn invalid(&self, why: &str) -> QueryError {
        QueryError::Invalid { what: format!("the function `{}` {why},", self.name), at: self.at }
    }

    fn encoded(&mut self, function: &str, encoding: &str) -> Result<Expr, QueryError> {
        let [value] = self.exactly()?;
        Ok(call(function, vec![value, text(encoding)]))
    }

    /// The same `FILTER` and `OVER`.
    fn aggregate(&self, name: &str, arguments: Vec<Expr>) -> Expr {
        let mut replaced = function(name, arguments);
        replaced.filter.clone_from(&self.original.filter);
        replaced.over.clone_from(&self.original.over);
        Expr::Function(replaced)
    }

    /// For aggregates that DataFusion cannot run over a window.
    fn aggregate_function(&self, name: &str, arguments: Vec<Expr>) -> Result<Function, QueryError> {
        if self.original.over.is_some() {
            return Err(QueryError::Unsupported { what: format!("`{}` over a window", self.name), at: self.at });
        }
        let mut replaced = function(name, arguments);
        replaced.filter.clone_from(&self.original.filter);
        Ok(replaced)
    }

    /// `max_by(x, y)`: the first `x` by descending `y`, over rows where there is a `y`.
    fn value_at_extreme(&mut self, ascending: bool) -> Result<Expr, QueryError> {
        let [value, key] = self.exactly()?;
        let mut replaced = self.aggregate_function("first_value", vec![value])?;
        let has_key = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(key.clone()))));
        replaced.filter = Some(Box::new(match replaced.filter.take() {
            Some(filter) => binary(Expr::Nested(filter), BinaryOperator::And, has_key),
            None => has_key,
        }));
        push_order(&mut replaced, vec![order_by(key, ascending)]);
        Ok(Expr::Function(replaced))
    }

    /// Trino's `greatest` is NULL where any argument is; DataFusion's leaves those out.
    fn null_if_any_is_null(&mut self, name: &str) -> Expr {
        let arguments = std::mem::take(&mut self.arguments);
        let any_null = arguments
            .iter()
            .map(|argument| Expr::IsNotNull(Box::new(Expr::Nested(Box::new(argument.clone())))))
            .reduce(|left, right| binary(left, BinaryOperator::And, right));
        match any_null {
            Some(condition) => case(condition, call(name, arguments), None),
            None => call(name, arguments),
        }
    }
}

fn arguments(function: &Function) -> Vec<Expr> {
    match &function.args {
        FunctionArguments::List(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn push_order(function: &mut Function, order: Vec<OrderByExpr>) {
    if let (FunctionArguments::List(list), false) = (&mut function.args, order.is_empty()) {
        list.clauses.push(FunctionArgumentClause::OrderBy(order));
    }
}

fn order_by(expr: Expr, ascending: bool) -> OrderByExpr {
    let options = OrderByOptions { asc: Some(ascending), nulls_first: None };
    OrderByExpr { expr, options, with_fill: None }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn constant_lambda(body: Expr) -> Expr {
    lambda(Ident::new("trino_unused"), body)
}

fn lambda(name: Ident, body: Expr) -> Expr {
    let parameter = LambdaFunctionParameter { name, data_type: None };
    Expr::Lambda(LambdaFunction {
        params: OneOrManyWithParens::One(parameter),
        body: Box::new(body),
        syntax: LambdaSyntax::Arrow,
    })
}
