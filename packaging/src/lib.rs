//! Empty: this crate only describes packages.
