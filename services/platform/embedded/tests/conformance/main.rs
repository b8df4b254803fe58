//! The adapters of one machine pass the suites of their ports, and survive being killed.

#[cfg(test)]
mod kill;
mod object_storage;
mod query_engine;
mod secret_store;
#[cfg(test)]
mod sqlite;
