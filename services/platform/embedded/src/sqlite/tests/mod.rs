//! What the port suites do not cover: groups, failures, corruption, other processes.
