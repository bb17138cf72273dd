// SPDX-License-Identifier: Apache-2.0
//! What only the host has: settings from the environment, and the choice between what is documented and what a device does.

pub mod behaviour;
pub mod settings;
