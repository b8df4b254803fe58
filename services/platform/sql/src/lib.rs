//! Trino SQL as the platform reads it: parsed with positions, guarded, bounded.
//!
//! Invariants:
//! - What runs is what was judged: the guard hands on text rendered from the syntax tree it walked, never the text it
//!   was given, so a comment, an escape or an odd spelling cannot mean one thing here and another to the engine.
//! - Both the tree walk and the function list are allow-lists: syntax nobody thought of is refused.
//! - No clock: spans of time come from the caller.

mod add_partition_bounds;
mod check_query;
mod dialect;
mod engine_differences;
mod error;
mod find_bounds;
mod functions;
mod guard;
mod limit_rows;
mod parse;
mod parse_data_type;
mod scan_tokens;

pub use engine_differences::{
    APPROXIMATION, DATE_OF_TRUNC, DIGITS_OF_CAST, DIGITS_OF_TIMESTAMP, OFFSET_OF_TIME, ROUNDING, engine_differences,
};
pub use error::{GuardError, Position, SqlError};
pub use functions::{CLOCK_FUNCTIONS, FUNCTIONS, is_allowed_function};
pub use guard::{GuardPolicy, GuardedQuery, PartitionPolicy, guard};
pub use parse::{parse, position_of};
