-- Of which branch a commit is, or that there is a branch of a name, as the repository's host said; good until expires_at.
CREATE TABLE branches (
    repo TEXT NOT NULL,
    commit_name TEXT NOT NULL,
    branch TEXT, -- none is at the commit
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (repo, commit_name)
);
CREATE INDEX branches_by_age ON branches (asked_at);
CREATE INDEX branches_by_expiry ON branches (expires_at);
