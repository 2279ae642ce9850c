//! Refused callers are heard out, so that they hear why.
//!
//! An answer that comes before its request's body has ended makes the server close the connection, and what the caller still sends
//! then resets it: most clients lose the answer. So what a handler leaves unread of a body is read here and thrown away, within
//! bounds, before the answer is given.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt as _};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::MAX_BODY_BYTES;

/// What is read of a body that nobody wants. A caller that sends more is cut off.
const MOST_BYTES: usize = 4 * MAX_BODY_BYTES;

/// How long that may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Hears a caller out before it is answered.
pub(super) async fn hear_out(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let (back, mut returned) = oneshot::channel();
    let lent = Body::from_stream(Lent {
        stream: Some(body.into_data_stream()),
        back: Some(back),
    });
    let answer = next.run(Request::from_parts(head, lent)).await;
    if let Ok(rest) = returned.try_recv() {
        // Whether or not it came to its end in time, there is an answer to give.
        let _ = timeout(LONGEST, throw_away(rest)).await;
    }
    answer
}

async fn throw_away(mut rest: BodyDataStream) {
    let mut room = MOST_BYTES;
    while let Some(Ok(bytes)) = rest.next().await {
        let Some(left) = room.checked_sub(bytes.len()) else {
            return;
        };
        room = left;
    }
}

/// A body that comes back when it is dropped before its end.
struct Lent {
    stream: Option<BodyDataStream>,
    back: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let polled = stream.poll_next_unpin(ctx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.stream = None;
        }
        polled
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody waits any more when the connection is gone.
            let _ = back.send(stream);
        }
    }
}
