//! Text of log records is hostile: what may not be shown is taken out, and URLs are made unclickable.

/// One line without control, bidirectional and zero-width characters.
pub(crate) fn clean_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            if !line.ends_with(' ') && !line.is_empty() {
                line.push(' ');
            }
        } else if !is_unseen(c) {
            line.push(c);
        }
    }
    if line.ends_with(' ') {
        line.pop();
    }
    line
}

/// `http://evil.example/x` becomes `hxxp://evil[.]example/x`. A host without a scheme stays: it is not made a link.
pub(crate) fn defang(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, from_colon) = rest.split_at(at);
        let scheme_at = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |i| i + next_len(before, i));
        safe.push_str(&before[..scheme_at]);
        safe.push_str(&before[scheme_at..].replace(['t', 'T'], "x"));
        safe.push_str("://");
        let after = &from_colon[3..];
        let host_len = after.find(|c: char| c.is_whitespace() || "/?#\"'<>|,;)".contains(c)).unwrap_or(after.len());
        safe.push_str(&after[..host_len].replace('.', "[.]"));
        rest = &after[host_len..];
    }
    safe.push_str(rest);
    safe
}

/// `see evil.example.com` becomes `see evil[.]example[.]com`, for what makes links of names of hosts by itself. What ends in a
/// digit, as addresses and versions do, stays.
pub(crate) fn defang_hosts(text: &str) -> String {
    let is_of_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let is_top_level = |label: &str| {
        label.starts_with("xn--") || (label.chars().count() >= 2 && label.chars().all(char::is_alphabetic))
    };
    let mut safe = String::with_capacity(text.len() + 8);
    for part in text.split_inclusive(|c| !is_of_host(c)) {
        let host = part.trim_end_matches(|c| !is_of_host(c));
        match host.trim_end_matches('.').rsplit_once('.') {
            Some((before, last)) if is_top_level(last) && !before.is_empty() => {
                safe.push_str(&host.replace('.', "[.]"));
                safe.push_str(&part[host.len()..]);
            }
            _ => safe.push_str(part),
        }
    }
    safe
}

/// At most `max` characters, the last of them an ellipsis when something was cut.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn next_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Characters that show as nothing, or that change how their neighbours show.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_and_line_breaks_are_taken_out() {
        assert_eq!(clean_line("a\r\nb\u{202e}c\u{200b}d\u{0}e\u{feff}\tf\u{2028}g "), "a bcde f g");
        assert_eq!(clean_line("zażółć 日本"), "zażółć 日本");
    }

    #[test]
    fn names_of_hosts_are_defanged_where_they_would_become_links() {
        for (text, safe) in [
            ("see evil.example.com/a.b, www.x.org.", "see evil[.]example[.]com/a.b, www[.]x[.]org[.]"),
            ("a@b.co", "a@b[.]co"),
            ("evil.xn--p1ai", "evil[.]xn--p1ai"),
            ("10.0.0.1 v1.2.3 1.5 . .. .gitignore", "10.0.0.1 v1.2.3 1.5 . .. .gitignore"),
            ("b\u{fc}cher.example \u{4f8b}.\u{4e2d}\u{56fd}", "b\u{fc}cher[.]example \u{4f8b}[.]\u{4e2d}\u{56fd}"),
            ("hxxp://evil[.]example/a", "hxxp://evil[.]example/a"),
            ("", ""),
        ] {
            assert_eq!(defang_hosts(text), safe);
        }
    }

    #[test]
    fn urls_are_defanged() {
        assert_eq!(defang("see http://evil.example.com/a.b now"), "see hxxp://evil[.]example[.]com/a.b now");
        assert_eq!(defang("HTTPS://x.y,http://z.w"), "HxxPS://x[.]y,hxxp://z[.]w");
        assert_eq!(defang("ż://a.b ://"), "ż://a[.]b ://");
        assert_eq!(defang("10.0.0.1 and a.b"), "10.0.0.1 and a.b");
    }

    #[test]
    fn shortening_counts_characters_and_marks_the_cut() {
        assert_eq!(shorten("żółw", 4), "żółw");
        assert_eq!(shorten("żółwie", 4), "żół…");
        assert_eq!(shorten("", 0), "");
    }
}
