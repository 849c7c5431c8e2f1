//! What the documentation shows works: commands, configurations and messages.

mod capacity;
mod commands;
mod migration;
mod nginx;
mod readme;
mod rotation;
mod scene;
mod troubleshooting;
