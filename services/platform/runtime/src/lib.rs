//! The loop every stage runs in: receive → decode → span → handle → publish → acknowledge.

pub mod handler;
