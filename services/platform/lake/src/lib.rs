//! The lake: every table defined once ([`catalogue`]), raw logs read into it, Parquet written from it.
//!
//! Generated from the catalogue: the Parquet writer's schema, the guard's allow-list, rule field resolution,
//! completion and documentation. Nothing here does IO or knows the time; both are passed in.

pub mod catalogue;
