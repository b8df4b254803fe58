//! The published contracts: generated documents do not drift, golden examples parse for ever, and what cannot be
//! read is an error with a reason.

mod decoding;
mod documents;
mod examples;
mod topology;
