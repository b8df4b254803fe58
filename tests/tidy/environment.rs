use crate::files::{rust_files, shown};

/// Reading the environment anywhere but in a `config.rs` makes settings that no one can find.
#[test]
fn environment_is_read_in_config_files_only() {
    let mut wrong = Vec::new();
    for path in rust_files() {
        let shown = shown(&path);
        let is_config = path.file_name().is_some_and(|name| name == "config.rs");
        if is_config || shown.starts_with("tests/") || shown.contains("/tests/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let is_read = ["env::var", "env::set_var"].iter().any(|call| line.contains(call));
            // The command line names the variables that stand for its options.
            let is_option = line.contains("env = \"") && !shown.ends_with("src/arguments.rs");
            if is_read || is_option {
                wrong.push(format!("{shown}:{}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
