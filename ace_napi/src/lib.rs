// SPDX-License-Identifier: Apache-2.0
//! `libace_napi.z.so`: the functions of Node-API, for modules that are linked with it.
//!
//! In a process of Node.js they are Node's own: each function here goes on to Node's of the same name. In any other
//! process they answer that there is no Node, so that a module can be loaded there too and its other functions be used.
//! See `docs/decisions/0021-node-api-from-node.md`.

mod functions;
mod node;
mod stand_in;
mod without_node;
