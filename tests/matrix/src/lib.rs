//! Host programs of Debian with keys in the embedded vault. Each runs as its package starts it, with
//! the configuration of its recipe in `docs/recipes`, in a copy of a Debian system that is thrown
//! away afterwards. `cargo xtask hosts --debian13` runs them.
#![forbid(unsafe_code)]

mod authority;
mod backend;
mod client;
mod cloud;
mod hosts;
mod journal;
mod keys;
mod load;
mod machine;
mod packages;
mod peer;
mod protocol;
mod recipe;
mod release;
mod report;
mod run;
mod scene;
mod server;
mod service;
mod table;
mod unit;

pub use self::{
    hosts::{HOSTS, Host, find},
    release::Release,
    report::{Result as RowResult, Row},
    run::{Places, run},
    table::{Versions, markdown, replace},
};
