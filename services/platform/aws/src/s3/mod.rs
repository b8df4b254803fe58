//! Objects on S3: the lake's, and raw logs.

mod object_storage;
mod raw_objects;

pub use object_storage::S3ObjectStorage;
pub use raw_objects::S3RawObjectSource;
