// SPDX-License-Identifier: Apache-2.0
//! Who is to be told of a death, and when nobody has to wait for it any more.

use std::sync::Arc;

use super::process::Process;
use super::worker_pool::Job;
use crate::host::mutation::Mutation;
use crate::object::{DeathError, DeathRecipient, Proxy};

/// Adds a recipient to a proxy. Where the stub is dead already, it is told at once, on a worker.
///
/// # Errors
/// The death has been told already.
pub fn add_recipient(proxy: &Arc<Proxy>, recipient: Arc<DeathRecipient>) -> Result<(), DeathError> {
    if proxy.add_recipient(recipient)?
        && !Mutation::LateRecipientsAreNotTold.is_on()
        && let Some(process) = Process::started()
    {
        process.give_job(Job::Death(Arc::clone(proxy)));
    }
    Ok(())
}
