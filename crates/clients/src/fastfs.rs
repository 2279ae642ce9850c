//! FastFS: files that live in the arguments of transactions, and are served by whoever reads the chain.
//!
//! A file is a call of [`METHOD`] on any account, by its owner. Nothing has to be deployed there: the call may fail, its arguments are in
//! the chain all the same. `https://{owner}.fastfs.io/{receiver}/{path}` serves it. The arguments are Borsh; a file that does not fit
//! into one transaction comes in parts that share a nonce.

use borsh::{BorshDeserialize, BorshSerialize};
use near_primitives::hash::CryptoHash;
use protocol::{AccountId, NearToken};

use crate::near::sender::SendError;
use crate::near::{Call, Gas, Sender};

/// What is called.
pub const METHOD: &str = "__fastdata_fastfs";

/// What one call carries of a file. Source: a transaction may have 1.5 MiB.
const PART_BYTES: usize = 1 << 20;

/// The call does nothing. Where a method of that name is deployed it does little.
const GAS: Gas = Gas::from_teragas(10);

/// The arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Upload {
    /// A whole file.
    Whole {
        /// Where the owner has it.
        relative_path: String,
        /// The file; nothing takes it away.
        content: Option<Content>,
    },
    /// A part of one.
    Part {
        /// Where the owner has the whole.
        relative_path: String,
        /// Where the part begins.
        offset: u32,
        /// How long the whole is.
        full_size: u32,
        /// What the whole is.
        mime_type: String,
        /// The part.
        content_chunk: Vec<u8>,
        /// The same for all parts of one upload.
        nonce: u32,
    },
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Content {
    /// What it is.
    pub mime_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A file to be put on the chain.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Where its owner has it.
    pub path: &'a str,
    /// What it is.
    pub mime_type: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl File<'_> {
    /// The uploads that make the file, of which there is at least one.
    pub fn uploads(&self, nonce: u32) -> Vec<Upload> {
        if self.bytes.len() <= PART_BYTES {
            return vec![Upload::Whole {
                relative_path: self.path.to_owned(),
                content: Some(Content {
                    mime_type: self.mime_type.to_owned(),
                    content: self.bytes.to_vec(),
                }),
            }];
        }
        let full_size = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let mut offset = 0_u32;
        let parts = self.bytes.chunks(PART_BYTES).map(|chunk| {
            let part = Upload::Part {
                relative_path: self.path.to_owned(),
                offset,
                full_size,
                mime_type: self.mime_type.to_owned(),
                content_chunk: chunk.to_vec(),
                nonce,
            };
            offset = offset.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
            part
        });
        parts.collect()
    }
}

/// Puts `file` on the chain, owned by who sends; the transactions that did.
///
/// # Errors
/// When a transaction does not come to the chain. That it fails there is no error.
pub async fn publish(
    sender: &Sender,
    receiver: &AccountId,
    file: &File<'_>,
    nonce: u32,
) -> Result<Vec<CryptoHash>, SendError> {
    let mut transactions = Vec::new();
    for upload in file.uploads(nonce) {
        let call = Call {
            receiver: receiver.clone(),
            method: METHOD.to_owned(),
            // Into memory, which never fails.
            args: borsh::to_vec(&upload).unwrap_or_default(),
            gas: GAS,
            deposit: NearToken::from_yoctonear(0),
        };
        transactions.push(sender.call(call).await?.transaction_hash);
    }
    Ok(transactions)
}

/// Where a file is served. `base` has `{owner}` in it: `https://{owner}.fastfs.io`.
pub fn url(base: &str, owner: &AccountId, receiver: &AccountId, path: &str) -> String {
    let base = base.replace("{owner}", owner.as_str());
    format!("{}/{receiver}/{path}", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> File<'_> {
        File {
            path: "a.wasm",
            mime_type: "application/wasm",
            bytes,
        }
    }

    #[test]
    fn a_small_file_is_one_upload_of_the_documented_bytes() {
        let uploads = file(b"wasm").uploads(7);

        let bytes = borsh::to_vec(&uploads[0]).unwrap();
        assert_eq!(uploads.len(), 1);
        let mut expected = vec![0, 6, 0, 0, 0];
        expected.extend(b"a.wasm");
        expected.extend([1, 16, 0, 0, 0]);
        expected.extend(b"application/wasm");
        expected.extend([4, 0, 0, 0]);
        expected.extend(b"wasm");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_large_file_is_parts_that_make_it_again() {
        let large: Vec<u8> = (0..PART_BYTES * 2 + 5)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();

        let uploads = file(&large).uploads(7);

        let mut made = vec![0; large.len()];
        for upload in &uploads {
            let Upload::Part {
                offset,
                full_size,
                content_chunk,
                nonce: 7,
                ..
            } = upload
            else {
                panic!("{upload:?}");
            };
            assert_eq!(usize::try_from(*full_size).unwrap(), large.len());
            let from = usize::try_from(*offset).unwrap();
            made[from..from + content_chunk.len()].copy_from_slice(content_chunk);
        }
        assert_eq!((uploads.len(), made), (3, large));
    }

    #[test]
    fn the_owner_is_in_the_address() {
        let owner = "op.near".parse().unwrap();

        let url = url("https://{owner}.fastfs.io", &owner, &owner, "a.wasm");

        assert_eq!(url, "https://op.near.fastfs.io/op.near/a.wasm");
    }
}
