//! Ways between the parts that lead past somebody else.

/// Other addresses by which the platform's parts reach each other: those of something that stands in between, such as what writes down
/// all that passes. Where there is none, a part is reached where it is.
#[derive(Clone, Debug, Default)]
pub struct Detours {
    /// From the keystore to the chain.
    pub keystore_to_chain: Option<String>,
    /// From the coordinator to the chain.
    pub coordinator_to_chain: Option<String>,
    /// From the coordinator to the feed of blocks.
    pub coordinator_to_blocks: Option<String>,
    /// From the coordinator to the keystore.
    pub coordinator_to_keystore: Option<String>,
}
