//! The adapters of one machine pass the suites of their ports, and survive being killed.

mod kill;
mod object_storage;
mod secret_store;
mod sqlite;
