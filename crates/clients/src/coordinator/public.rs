//! What the coordinator shows to anyone.

use protocol::AccountId;
use protocol::keystore::{
    GenerateAsk, Identity, PubkeyAnswer, PubkeyAsk, RevisedAnswer, SignedUnlock, Unlocked,
    UpdateAsk,
};
use protocol::pricing::Pricing;
use protocol::progress::BuildView;
use protocol::public::{BranchView, JobView, StatsView, WorkerView};
use reqwest::{Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::transport::Transport;

/// What the coordinator shows to anyone.
#[derive(Clone, Debug)]
pub struct Public(Transport);

/// Which jobs to show, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobsQuery {
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// Only those that this account signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_account_id: Option<AccountId>,
    /// Only those that came this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Public {
    /// The coordinator at `base`.
    pub fn new(base: &Url) -> Result<Self, Error> {
        Transport::new(base, None).map(Self)
    }

    /// Whether the coordinator is well.
    pub async fn health(&self) -> Result<(), Error> {
        self.0.done(self.get(&["health"])).await
    }

    /// How each part of the coordinator is.
    pub async fn health_detailed(&self) -> Result<serde_json::Value, Error> {
        self.0.json(self.get(&["health", "detailed"])).await
    }

    /// Jobs.
    pub async fn jobs(&self, query: &JobsQuery) -> Result<Vec<JobView>, Error> {
        self.0
            .json(self.get(&["public", "jobs"]).query(query))
            .await
    }

    /// Workers.
    pub async fn workers(&self) -> Result<Vec<WorkerView>, Error> {
        self.0.json(self.get(&["public", "workers"])).await
    }

    /// Sums over everything.
    pub async fn stats(&self) -> Result<StatsView, Error> {
        self.0.json(self.get(&["public", "stats"])).await
    }

    /// Builds of a repository that go on.
    pub async fn builds(&self, repo_url: &str) -> Result<Vec<BuildView>, Error> {
        let request = self.get(&["public", "builds"]);
        self.0.json(request.query(&[("repo_url", repo_url)])).await
    }

    /// What an execution costs.
    pub async fn pricing(&self) -> Result<Pricing, Error> {
        self.0.json(self.get(&["public", "pricing"])).await
    }

    /// Of which branch of a repository a commit is.
    pub async fn resolve_branch(&self, repo: &str, commit: &str) -> Result<BranchView, Error> {
        let request = self.get(&["github", "resolve-branch"]);
        let query = [("repo", repo), ("commit", commit)];
        self.0.json(request.query(&query)).await
    }

    /// The key that an owner seals secrets to.
    pub async fn pubkey(&self, ask: &PubkeyAsk) -> Result<PubkeyAnswer, Error> {
        self.keystore("pubkey", ask).await
    }

    /// Secrets that only the keystore knows, beside sealed ones.
    pub async fn add_generated_secret(&self, ask: &GenerateAsk) -> Result<RevisedAnswer, Error> {
        self.keystore("add_generated_secret", ask).await
    }

    /// New values for stored secrets.
    pub async fn update_user_secrets(&self, ask: &UpdateAsk) -> Result<RevisedAnswer, Error> {
        self.keystore("update_user_secrets", ask).await
    }

    /// Who the keystore says it is; whoever believes it knows so by another way.
    pub async fn keystore_identity(&self) -> Result<Identity, Error> {
        self.0.json(self.get(&["secrets", "identity"])).await
    }

    /// The secrets of a request, for the worker that signed the question.
    pub async fn unlock(&self, question: &SignedUnlock) -> Result<Unlocked, Error> {
        self.keystore("decrypt", question).await
    }

    /// What the coordinator passes on to the keystore.
    async fn keystore<T: DeserializeOwned>(
        &self,
        what: &str,
        ask: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.0.request(Method::POST, &["secrets", what]);
        self.0.json(request.json(ask)).await
    }

    fn get(&self, path: &[&str]) -> RequestBuilder {
        self.0.request(Method::GET, path)
    }
}
