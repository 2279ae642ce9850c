//! What a node answers to clients, method by method, as a real node answers.

#![cfg(test)]

mod rpc_node {
    mod blocks;
    mod changes;
    mod envelope;
    mod feed;
    mod home;
    mod light_client;
    mod node;
    mod pages;
    mod query;
    mod sandbox;
    mod server;
    mod settings;
    mod state_proofs;
    mod status;
    mod transactions;
}
