//! "Did you mean": the known name nearest to an unknown one.

/// `; did you mean \`x\`?`, or nothing when no name is near.
pub(crate) fn suggestion<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(wrong, known) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    let limit = (wrong.chars().count() / 3).clamp(1, 4);
    known
        .map(|name| (edit_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let known = ["eventName", "eventSource", "userAgent"];
        assert_eq!(nearest("evntName", known.into_iter()), Some("eventName"));
        assert_eq!(nearest("EVENTNAME", known.into_iter()), Some("eventName"));
        assert_eq!(nearest("status", known.into_iter()), None);
    }
}
