//! Functions that Trino has and DataFusion lacks, or gives another meaning.

pub(super) mod array_functions;
mod cast_functions;
mod date_formats;
mod date_functions;
pub(super) mod fields;
mod folded_functions;
mod json_functions;
mod json_path;
mod json_scan;
mod letter_case;
mod math_functions;
mod regex_functions;
mod text_functions;
mod try_function;
mod udf;
mod url_functions;
mod write_json;

use super::error::QueryError;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use std::sync::Arc;

/// Adds every function to a session.
pub(super) fn register(mut state: SessionState) -> Result<SessionState, QueryError> {
    let families = [
        array_functions::all(),
        cast_functions::all(),
        date_functions::all(),
        folded_functions::all(),
        json_functions::all(),
        letter_case::all(),
        math_functions::all(),
        regex_functions::all(),
        text_functions::all(),
        url_functions::all(),
    ];
    let add = || -> datafusion::error::Result<()> {
        for udf in families.into_iter().flatten() {
            state.register_udf(Arc::new(udf))?;
        }
        state.register_higher_order_function(Arc::new(try_function::udf()))?;
        Ok(())
    };
    add().map_err(|error| QueryError::Open(Box::new(error)))?;
    Ok(state)
}
