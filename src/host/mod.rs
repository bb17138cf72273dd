// SPDX-License-Identifier: Apache-2.0
//! What only the host has: settings from the environment, the choice between what is documented and what a device does, and faults to be
//! had on purpose.

pub mod behaviour;
pub mod mutation;
pub mod settings;
