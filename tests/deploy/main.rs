//! `deploy/azure`, as far as it can be checked without Azure.

mod bicep;
mod machine;
mod pipelines;
