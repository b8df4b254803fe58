//! What can go wrong after a rule was compiled.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum RenderError {
    #[error("title template of rule `{rule_id}` cannot be rendered")]
    Template {
        rule_id: String,
        #[source]
        source: minijinja::Error,
    },
    #[error("title of rule `{rule_id}` is empty after rendering")]
    Empty { rule_id: String },
}
