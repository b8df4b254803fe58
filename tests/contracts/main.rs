//! The published contracts: generated documents do not drift, golden examples parse for ever, and what cannot be
//! read is an error with a reason.

#[cfg(test)]
mod decoding;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod topology;
