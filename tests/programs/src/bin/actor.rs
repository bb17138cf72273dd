// SPDX-License-Identifier: Apache-2.0
//! A process of a program. Its standard input is a socket, over which orders come and answers go.

fn main() {
    programs::serve();
}
