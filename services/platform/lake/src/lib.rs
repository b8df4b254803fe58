//! The lake: every table defined once ([`catalogue`]), raw logs read into it ([`parse`]), Parquet written from it.
//!
//! Generated from the catalogue: the Parquet writer's schema, the guard's allow-list, rule field resolution,
//! completion and documentation. Nothing here does IO or knows the time; both are passed in.
//!
//! Invariants: what a parser reads becomes a record or an entry of the quarantine with a reason, never nothing; the same
//! bytes become the same records, parts and file keys every time.

pub mod arrow_schema;
mod build_batch;
pub mod catalogue;
pub mod compact;
pub mod error;
mod json_text;
pub mod parse;
pub mod write_parquet;

pub use error::LakeError;
