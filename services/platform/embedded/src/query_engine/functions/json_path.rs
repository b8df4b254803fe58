//! Paths into JSON as `json_extract` takes them: `$.a.b`, `$["a b"]`, `$[0]`.

use memchr::memmem::Finder;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) key: String,
    /// The key as a position in an array, where it is one: Trino reads `[0]` and `.0` as either.
    pub(super) index: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct JsonPath {
    pub(super) steps: Vec<Step>,
    /// Finds the quoted last key: text without it, and without escapes, cannot hold the path.
    quoted_key: Option<Finder<'static>>,
}

impl JsonPath {
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let invalid = |why: &str| format!("`{path}` is not a JSON path this engine reads: {why}");
        let mut rest = path.trim().strip_prefix('$').ok_or_else(|| invalid("it must begin with `$`"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (key, after) = if let Some(dotted) = rest.strip_prefix('.') {
                let end = dotted.find(['.', '[']).unwrap_or(dotted.len());
                let key = &dotted[..end];
                if key.is_empty() || key.contains(['*', '(', '?', '"', '\'', ' ']) {
                    return Err(invalid("a name after `.` is missing, or needs `[\"...\"]`"));
                }
                (key.to_owned(), &dotted[end..])
            } else if let Some(bracketed) = rest.strip_prefix('[') {
                read_bracket(bracketed)
                    .ok_or_else(|| invalid("only `[number]` and `[\"key\"]` are read in brackets"))?
            } else {
                return Err(invalid("expected `.` or `[`"));
            };
            steps.push(Step { index: key.parse().ok(), key });
            rest = after;
        }
        let quoted_key = steps
            .iter()
            .rev()
            .find(|step| step.index.is_none())
            .map(|step| Finder::new(format!("\"{}\"", step.key).as_bytes()).into_owned());
        Ok(Self { steps, quoted_key })
    }

    /// False only where the path is certainly not in the text. Reads the text once, without looking at its structure.
    pub(super) fn may_be_in(&self, json: &[u8]) -> bool {
        match &self.quoted_key {
            Some(finder) => finder.find(json).is_some() || memchr::memchr(b'\\', json).is_some(),
            None => true,
        }
    }
}

fn read_bracket(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        let (key, after) = text.split_once(']')?;
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
        return plain.then(|| (key.to_owned(), after));
    };
    let mut key = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => key.push(chars.next()?.1),
            c if c == quote => return text[1 + i + 1..].strip_prefix(']').map(|after| (key, after)),
            c => key.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(path: &str) -> Vec<String> {
        JsonPath::parse(path).unwrap().steps.into_iter().map(|step| step.key).collect()
    }

    #[test]
    fn names_quoted_keys_and_positions_are_read() {
        assert_eq!(keys("$"), Vec::<String>::new());
        assert_eq!(keys("$.a.b-c"), ["a", "b-c"]);
        assert_eq!(keys(r#"$["a.b"].c[0]"#), ["a.b", "c", "0"]);
        assert_eq!(keys(r#"$["a\"b"]['c']"#), ["a\"b", "c"]);
        for wrong in ["a", "$a", "$.", "$..a", "$[*]", "$.*", "$[?(@.a)]", "$[\"a\"", "$.a b"] {
            assert!(JsonPath::parse(wrong).is_err(), "{wrong}");
        }
    }
}
