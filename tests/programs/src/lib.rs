// SPDX-License-Identifier: Apache-2.0
//! Random programs of stubs, proxies, requests, death recipients and ends of processes, over three processes.
//!
//! A [`program`] says what is done in terms of what is there at that time. [`resolve`] makes [`orders`] of it, beside a [`model`] that
//! counts references in the simplest way there is: it looks through everything that is held. [`run`] gives the orders to [`actors`], which
//! are processes of their own, and compares what these report with what the model expects.

mod actor;
mod actors;
mod c_face;
mod model;
mod orders;
mod program;
mod resolve;
mod run;

pub use actor::serve;
pub use program::{Program, programs};
pub use run::run;
