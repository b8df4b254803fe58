use crate::files::{rust_files, shown};

/// Names that say nothing about what a place holds.
const EMPTY_NAMES: &[&str] = &["common", "shared", "utils", "util", "helpers", "helper", "manager", "misc"];

#[test]
fn files_and_folders_are_named_for_what_they_hold() {
    let wrong: Vec<String> = rust_files()
        .iter()
        .map(|path| shown(path))
        .filter(|path| path.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_unfinished_is_left_behind() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemented", "!("), concat!("to", "do!(")];
    let mut wrong = Vec::new();
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{}:{}: {}", shown(&path), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
