//! Objects on S3: the lake's, and raw logs.
//!
//! The role needs `s3:ListBucket` too: without it S3 answers for an object that is not there that access is denied.

mod object_storage;
mod raw_objects;

pub use object_storage::S3ObjectStorage;
pub use raw_objects::S3RawObjectSource;
