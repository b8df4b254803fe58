//! Rules about the code that matter enough to be tests.

#[cfg(test)]
mod environment;
#[cfg(test)]
mod file_length;
#[cfg(test)]
mod files;
#[cfg(test)]
mod layering;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod words;
