use crate::files::{rust_files, shown};

const LIMIT: usize = 500;

#[test]
fn no_file_is_longer_than_a_reader_holds() {
    let long: Vec<String> = rust_files()
        .iter()
        .filter_map(|path| {
            let n_lines = std::fs::read_to_string(path).unwrap().lines().count();
            (n_lines > LIMIT).then(|| format!("{}: {n_lines} lines, the limit is {LIMIT}", shown(path)))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
