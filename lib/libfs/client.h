/* SPDX-License-Identifier: MIT
 * What the files of the client's half share. */
#pragma once
#include <fs/client.h>

/* client_queue.c: requests of a session. Nobody holds its lock. */

/* A piece of the session's buffer of up to `wanted` bytes, at least one unit; waits for one. units 0: there is none for
 * this request. */
struct fs_piece {
    uint8_t first, units;
    uint8_t *at;
    uint32_t bytes;
};
status_t fs_piece_get(struct fs_session *s, size_t wanted, struct fs_piece *out);
void fs_piece_put(struct fs_session *s, const struct fs_piece *p);
/* Sends the request, for whose data the piece is, and waits for the reply; its status is the result. On TIMED_OUT the
 * piece is not the caller's any more: *p is emptied. `waits`: it may take until the deadline, and INTERRUPTED ends it.
 */
status_t fs_request(struct fs_session *s, struct vx_fs_request *q, struct fs_piece *p, bool waits, uint64_t deadline,
                    struct vx_fs_reply *out);
/* The same, of a request whose reply brings a capability, or VX_HANDLE_NONE. Without `cap` it is dropped. */
status_t fs_request_cap(struct fs_session *s, struct vx_fs_request *q, struct fs_piece *p, bool waits,
                        uint64_t deadline, struct vx_fs_reply *out, vx_handle_t *cap);
/* A CLOSE that nobody waits for. */
void fs_send_close(struct fs_session *s, struct vx_fs_request *q);

/* client_files.c, with the client's lock */
struct fs_session *fs_session_of(struct fs_client *c, uint32_t mount);

/* client_shortcuts.c */

/* vfsd found the path in that mount: there may be a shortcut for what comes next. With the client's lock. */
void fs_found(struct fs_client *c, const char *path, uint32_t mount);

/* client_names.c */

/* One call to vfsd, with c->lock held; connects anew if vfsd was started anew (then PEER_CLOSED is answered once more
 * only if there is none). q and a: as generated; cap: sent, or 0; got: may be nullptr. */
struct fs_call {
    uint16_t op;
    const void *q;
    size_t q_bytes;
    void *a;
    size_t a_bytes;
};
status_t fs_call(struct fs_client *c, const struct fs_call *call, vx_handle_t cap, vx_handle_t *got);
/* Puts a path into the buffer. */
status_t fs_put_path(struct fs_client *c, uint32_t at, const char *path, uint32_t *bytes);
