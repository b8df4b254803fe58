//! The adapters of one machine pass the suites of their ports, and survive being killed.

#[cfg(test)]
mod kill;
#[cfg(test)]
mod object_storage;
#[cfg(test)]
mod query_engine;
#[cfg(test)]
mod raw_objects;
#[cfg(test)]
mod secret_store;
#[cfg(test)]
mod smtp_mailer;
#[cfg(test)]
mod sqlite;
