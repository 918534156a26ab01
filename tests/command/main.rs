//! The command as users run it: what it prints, what it writes, how it ends.

#[path = "../harness/command.rs"]
mod command;
#[path = "../harness/mod.rs"]
mod harness;

mod cli;
mod cli_errors;
mod cli_options;
mod compare;
mod library;
mod pairwise;
mod profile;
mod sweep;
