//! MySQL's format strings, which `date_parse` and `date_format` take, as chrono's.

/// An error names the specifier that is not known.
pub(super) fn to_chrono(format: &str) -> Result<String, String> {
    let mut text = String::with_capacity(format.len() + 8);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let specifier = chars.next().ok_or_else(|| "a format ends with `%`".to_owned())?;
        text.push_str(match specifier {
            'a' => "%a",
            'b' => "%b",
            'c' => "%-m",
            'd' => "%d",
            'e' => "%-d",
            'f' => "%6f",
            'H' => "%H",
            'h' | 'I' => "%I",
            'i' => "%M",
            'j' => "%j",
            'k' => "%-H",
            'l' => "%-I",
            'M' => "%B",
            'm' => "%m",
            'p' => "%p",
            'r' => "%I:%M:%S %p",
            'S' | 's' => "%S",
            'T' => "%H:%M:%S",
            'v' => "%V",
            'W' => "%A",
            'x' => "%G",
            'Y' => "%Y",
            'y' => "%y",
            '%' => "%%",
            other => return Err(format!("the date format specifier `%{other}` is not supported")),
        });
    }
    Ok(text)
}
