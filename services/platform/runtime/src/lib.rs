//! The loop every stage runs in: receive → decode → span → handle → publish → acknowledge.
//!
//! Invariants: a message is acknowledged only after everything its handler returned was published; a body that
//! cannot be decoded goes to the DLQ with the reason, never to the log alone; a handler's error never ends the
//! loop; on shutdown what was received is finished before the loop returns.

pub mod config;
pub mod handler;
pub mod metrics;
pub mod telemetry;
pub mod tls;
pub mod trace_context;
pub mod trace_export;
pub mod worker;

pub use handler::{Handled, Handler, HandlerError};
pub use worker::{Worker, WorkerConfig};
