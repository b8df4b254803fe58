//! The Queue port on SQS.
//!
//! A queue's DLQ is the SQS queue its redrive policy names. What a DLQ holds is read by receiving it and letting go again:
//! SQS has no other way to look. While one looks, another may see less.

mod dead_letters;
mod handed_queue;
mod held_message;
mod queue;
mod send_messages;

pub use handed_queue::{HandedMessage, HandedQueue};
pub use queue::{QueueUrls, SqsQueue};
