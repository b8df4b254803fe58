//! Files and folders → compiled rules and problems.
//!
//! Invariant: nothing is silently skipped. Every path given, every file found and every document in it gives a rule or
//! a problem.

use crate::compile_rule::compile_document;
use crate::compiled_rule::CompiledRule;
use crate::problem::{Problem, ProblemSeverity, Problems};
use crate::read_yaml::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A rule is a page of text; what is larger is some other file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const MAX_FOLDER_DEPTH: usize = 32;

#[derive(Debug, Clone, Default)]
pub struct LoadedRules {
    /// In order of path.
    pub rules: Vec<CompiledRule>,
    /// Of all files, sorted; the rules' own warnings are among them.
    pub problems: Vec<Problem>,
}

impl LoadedRules {
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == ProblemSeverity::Error)
    }
}

/// Reads every `*.yml` and `*.yaml` below the paths; a path to a file is read whatever its name.
pub fn load_rules(paths: &[PathBuf]) -> LoadedRules {
    let mut loaded = LoadedRules::default();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            list_files(path, 0, &mut files, &mut loaded.problems);
            if files.len() == before {
                loaded.problems.push(problem_of(path, "holds no rule file (*.yml, *.yaml)"));
            }
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    let mut seen = BTreeSet::new();
    for file in files {
        // The same file by two ways is one rule, not a duplicate.
        if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
            continue;
        }
        load_file(&file, &mut loaded);
    }
    refuse_duplicates(&mut loaded);
    loaded.problems.sort();
    loaded
}

/// One document of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    /// Lines of the file before it.
    pub(crate) line_offset: u32,
}

/// Cuts a file at its `---` lines. YAML lets such a line stand nowhere else, not even inside a block of text.
pub(crate) fn split_documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut first_line = 0u32;
    let mut position = 0;
    for (line_number, line) in (0u32..).zip(text.split_inclusive('\n')) {
        let marker = line.trim_end();
        let begins = marker == "---" || marker == "..." || marker.starts_with("--- #");
        if begins {
            documents.push(Document { text: &text[start..position], line_offset: first_line });
            start = position + line.len();
            first_line = line_number + 1;
        }
        position += line.len();
    }
    documents.push(Document { text: &text[start..], line_offset: first_line });
    let is_empty = |document: &Document<'_>| {
        document.text.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line.starts_with('%')
        })
    };
    documents.retain(|document| !is_empty(document));
    documents
}

fn load_file(path: &Path, loaded: &mut LoadedRules) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(message) => return loaded.problems.push(problem_of(path, &message)),
    };
    let documents = split_documents(&text);
    if documents.is_empty() {
        return loaded.problems.push(problem_of(path, "holds no rule"));
    }
    for document in documents {
        match compile_document(&path.to_string_lossy(), document.text, document.line_offset) {
            Ok(rule) => {
                loaded.problems.extend(rule.problems.iter().cloned());
                loaded.rules.push(rule);
            }
            Err(problems) => loaded.problems.extend(problems),
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("is {size} bytes long; a rule file has at most {MAX_FILE_BYTES}"));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 text: {}", error.utf8_error()))
}

fn list_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    if depth > MAX_FOLDER_DEPTH {
        // A link that leads back up would otherwise never end.
        return problems.push(problem_of(folder, "is nested too deeply"));
    }
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => return problems.push(problem_of(folder, &format!("cannot be listed: {error}"))),
    };
    for entry in entries {
        let path = entry.path();
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        if path.is_dir() {
            list_files(&path, depth + 1, files, problems);
        } else if extension.is_some_and(|extension| extension == "yml" || extension == "yaml") {
            files.push(path);
        }
    }
}

/// The first rule of an id stays, in order of path; the others are errors that name it.
fn refuse_duplicates(loaded: &mut LoadedRules) {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let mut duplicates = Vec::new();
    loaded.rules.retain(|rule| {
        let id = rule.rule.rule_id.to_string();
        match first.get(&id) {
            Some(path) => {
                let mut problems = Problems::new(&rule.path, 0);
                problems.error(rule.id_at, "id", format!("`{id}` is the id of a rule in {path} too"));
                duplicates.extend(problems.into_sorted());
                false
            }
            None => {
                first.insert(id, rule.path.clone());
                true
            }
        }
    });
    loaded.problems.extend(duplicates);
}

fn problem_of(path: &Path, message: &str) -> Problem {
    Problem {
        path: path.to_string_lossy().into_owned(),
        line: Position::START.line,
        column: Position::START.column,
        field: String::new(),
        severity: ProblemSeverity::Error,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_cut_at_markers_and_know_their_first_line() {
        let text = "# rules\n---\ntitle: a\n--- # second\ntitle: b\n...\n";
        let documents = split_documents(text);
        let expected = [("title: a\n", 2), ("title: b\n", 4)];
        assert_eq!(documents.iter().map(|d| (d.text, d.line_offset)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn text_without_a_marker_is_one_document() {
        let documents = split_documents("title: a\n");
        assert_eq!(documents, [Document { text: "title: a\n", line_offset: 0 }]);
        assert!(split_documents("# nothing\n\n---\n").is_empty());
    }
}
