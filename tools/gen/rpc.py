# SPDX-License-Identifier: MIT
"""vectra/rpc_NAME.h: the messages of a protocol, its client calls and its server dispatch."""
from stubs import BANNER

CTYPES = {"u32": "uint32_t", "i32": "int32_t", "u64": "uint64_t"}


def cap_type(f):
    return "vx_handle_t" if f.param == "ANY" else "vx_" + f.param.lower()


def raw(f, expression):
    return expression if f.param == "ANY" else f"{expression}.raw"


def member(f):
    if f.kind == "bytes":
        return f"    uint8_t {f.name}_len;\n    uint8_t {f.name}[{f.param}];"
    return f"    {CTYPES[f.kind]} {f.name};"


def payload(fields):
    return [f for f in fields if f.kind != "cap"]


def struct(name, fields):
    """The message's payload. A capability travels beside it, so it is not a member."""
    members = payload(fields)
    if not members:
        return ""
    body = "\n".join(member(f) for f in members)
    return f"struct {name} {{\n{body}\n}};\nstatic_assert(sizeof(struct {name}) <= VX_RPC_PAYLOAD);\n"


def arguments_of(fields):
    out = []
    for f in fields:
        if f.kind == "bytes":
            out += [f"const void *{f.name}", f"size_t {f.name}_len"]
        else:
            out.append(f"{cap_type(f) if f.kind == 'cap' else CTYPES[f.kind]} {f.name}")
    return out


def outputs_of(fields):
    out = []
    for f in fields:
        if f.kind == "bytes":
            out += [f"void *{f.name}_out", f"size_t *{f.name}_len_out"]
        else:
            out.append(f"{cap_type(f) if f.kind == 'cap' else CTYPES[f.kind]} *{f.name}_out")
    return out


def names(parameters):
    return [p.split()[-1].lstrip("*") for p in parameters]


def encode(name, fields, returns):
    """Statements that fill message `m` from arguments named like the fields."""
    lines = []
    if payload(fields):
        lines.append(f"    struct {name} q = {{}};")
        for f in payload(fields):
            if f.kind == "bytes":
                lines += [f"    if ({f.name}_len > sizeof q.{f.name})", f"        return{returns};",
                          f"    q.{f.name}_len = (uint8_t){f.name}_len;",
                          f"    memcpy(q.{f.name}, {f.name}, {f.name}_len);"]
            else:
                lines.append(f"    q.{f.name} = {f.name};")
        lines.append("    memcpy(&m.word[1], &q, sizeof q);")
    return lines


def decode(name, fields):
    lines = []
    if payload(fields):
        lines += [f"    struct {name} a;", "    memcpy(&a, &m.word[1], sizeof a);"]
    for f in payload(fields):
        if f.kind == "bytes":
            lines += [f"    if (a.{f.name}_len > sizeof a.{f.name})", "        return ERR_PEER_CLOSED;"]
    for f in fields:
        if f.kind == "bytes":
            lines += [f"    memcpy({f.name}_out, a.{f.name}, a.{f.name}_len);", f"    *{f.name}_len_out = a.{f.name}_len;"]
        elif f.kind == "cap":
            lines.append(f"    {raw(f, '*' + f.name + '_out') if f.param == 'ANY' else f.name + '_out->raw'} = cap;")
        else:
            lines += [f"    if ({f.name}_out != nullptr)", f"        *{f.name}_out = a.{f.name};"]
    return lines


def function(head, lines):
    return head + "\n{\n" + "\n".join(lines) + "\n}\n"


def client(p, o):
    base = f"vx_{p.name}_{o.name}"
    op = base.upper()
    sent = next((raw(f, f.name) for f in o.arguments if f.kind == "cap"), "VX_HANDLE_NONE")
    takes_cap = any(f.kind == "cap" for f in o.results)
    head = ["struct vx_client *c"]
    build = [f"    struct vx_message m = {{ .word = {{ {op} }} }};"] + encode(base + "_request", o.arguments, " ERR_TOO_BIG")
    got = ["    vx_handle_t cap = VX_HANDLE_NONE;"] if takes_cap else []
    cap = "&cap" if takes_cap else "nullptr"
    ins, outs = arguments_of(o.arguments), outputs_of(o.results)
    start = function(f"static inline status_t {base}_start({', '.join(head + ins)})",
                     build + [f"    return vx_rpc_start(c, &m, {sent}, VX_FOREVER);"])
    finish = function(f"static inline status_t {base}_finish({', '.join(head + outs + ['uint64_t deadline'])})",
                      ["    struct vx_message m = {};"] + got +
                      [f"    status_t st = vx_rpc_finish(c, &m, {cap}, deadline);", "    if (st != OK)", "        return st;"] +
                      decode(base + "_reply", o.results) + ["    return OK;"])
    call = function(f"static inline status_t {base}({', '.join(head + ins + outs)})",
                    build + got + [f"    status_t st = vx_rpc_call(c, &m, {sent}, {cap}, VX_FOREVER);"] +
                    ["    if (st != OK)", "        return st;"] + decode(base + "_reply", o.results) + ["    return OK;"])
    return f"/* {o.text} */\n{call}{start}{finish}"


def note(p, o):
    base = f"vx_{p.name}_{o.name}"
    sent = next((raw(f, f.name) for f in o.arguments if f.kind == "cap"), None)
    send = (f"vx_sys_ring_send_cap(to, &m, {sent}, deadline)" if sent else "vx_sys_ring_send(to, &m, deadline)")
    return f"/* {o.text} */\n" + function(
        f"static inline status_t {base}({', '.join(['vx_ring_tx to'] + arguments_of(o.arguments) + ['uint64_t deadline'])})",
        [f"    struct vx_message m = {{ .word = {{ {base.upper()} }} }};"] +
        encode(base + "_request", o.arguments, " ERR_TOO_BIG") + [f"    return {send};"])


def handler(p, o):
    """The member of the operations table: what a server writes."""
    base = f"vx_{p.name}_{o.name}"
    parameters = ["struct vx_session *s"]
    parameters += [f"const struct {base}_request *q"] if payload(o.arguments) else []
    parameters += [f"{cap_type(f)} {f.name}" for f in o.arguments if f.kind == "cap"]
    parameters += [f"struct {base}_reply *a"] if payload(o.results) else []
    parameters += [f"{cap_type(f)} *{f.name}_out" for f in o.results if f.kind == "cap"]
    return f"    status_t (*{o.name})({', '.join(parameters)});"


def dispatch_case(p, o):
    base = f"vx_{p.name}_{o.name}"
    lines = [f"    case {base.upper()}: {{", f"        if (ops->{o.name} == nullptr)", "            return ERR_NOT_SUPPORTED;"]
    call = ["s"]
    if payload(o.arguments):
        lines += [f"        struct {base}_request q;", "        memcpy(&q, &in->message.word[1], sizeof q);"]
        for f in payload(o.arguments):
            if f.kind == "bytes":
                lines += [f"        if (q.{f.name}_len > sizeof q.{f.name})", "            return ERR_BAD_ARGUMENT;"]
        call.append("&q")
    for f in o.arguments:
        if f.kind == "cap":
            kind = cap_type(f)
            value = "in->cap" if f.param == "ANY" else f"({kind}){{ in->cap }}"
            lines += ["        if (in->cap == VX_HANDLE_NONE)", "            return ERR_BAD_ARGUMENT;",
                      f"        {kind} {f.name} = {value};", "        in->cap = VX_HANDLE_NONE; /* the handler owns it now */"]
            call.append(f.name)
    lines.append("        memset(&in->message.word[1], 0, VX_RPC_PAYLOAD);")
    if payload(o.results):
        lines.append(f"        struct {base}_reply a = {{}};")
        call.append("&a")
    for f in o.results:
        if f.kind == "cap":
            lines.append(f"        {cap_type(f)} {f.name} = {'VX_HANDLE_NONE' if f.param == 'ANY' else '{}'};")
            call.append(f"&{f.name}")
    lines.append(f"        status_t st = ops->{o.name}({', '.join(call)});")
    if payload(o.results):
        lines.append("        memcpy(&in->message.word[1], &a, sizeof a);")
    for f in o.results:
        if f.kind == "cap":
            lines.append(f"        in->cap_reply = {raw(f, f.name)};")
    return "\n".join(lines + ["        return st;", "    }"])


def late_reply(p, o):
    base = f"vx_{p.name}_{o.name}"
    parameters = ["struct vx_session *s", "uint16_t sequence", "status_t status"]
    parameters += [f"const struct {base}_reply *a"] if payload(o.results) else []
    caps = [f for f in o.results if f.kind == "cap"]
    parameters += [f"{cap_type(f)} {f.name}" for f in caps]
    lines = [f"    struct vx_message m = {{ .word = {{ vx_rpc_head({base.upper()}, sequence, status) }} }};"]
    if payload(o.results):
        lines += ["    if (a != nullptr)", "        memcpy(&m.word[1], a, sizeof *a);"]
    lines.append(f"    vx_session_send(s, &m, {raw(caps[0], caps[0].name) if caps else 'VX_HANDLE_NONE'});")
    return function(f"static inline void {base}_reply({', '.join(parameters)})", lines)


def header(p):
    upper = f"VX_{p.name.upper()}"
    out = [BANNER + f"/* {p.name} version {p.version}: {p.text} */",
           "#include <abi/rpc.h>\n#include <vectra/rpc.h>\n#include <vectra/service.h>\n#include <vectra/string.h>\n",
           f"#define {upper}_PROTOCOL_VERSION {p.version}u\n"]
    for name, value, text in p.constants:
        out.append(f"#define {upper}_{name} {value}u /* {text} */")
    out.append(f"\nenum vx_{p.name}_op : uint16_t {{")
    out += [f"    {upper}_{o.name.upper()} = {o.number}," for o in p.operations] + ["};\n"]
    for o in p.operations:
        out += [s for s in (struct(f"vx_{p.name}_{o.name}_request", o.arguments),
                            struct(f"vx_{p.name}_{o.name}_reply", o.results)) if s]
    calls = [o for o in p.operations if not o.is_note]
    notes = [o for o in p.operations if o.is_note]
    out += [note(p, o) for o in notes] + [client(p, o) for o in calls]
    table = [handler(p, o) for o in p.operations]
    out.append(f"/* A server's handlers; a missing one answers NOT_SUPPORTED. Capabilities in arguments belong to the handler. */\n"
               f"struct vx_{p.name}_ops {{\n" + "\n".join(table) + "\n};\n")
    cases = "\n".join(dispatch_case(p, o) for o in p.operations)
    out.append(function(f"[[maybe_unused]] static status_t vx_{p.name}_dispatch(const struct vx_{p.name}_ops *ops, struct vx_session *s, "
                        "struct vx_incoming *in)",
                        ["    switch (vx_rpc_op(in->message.word[0])) {", cases, "    default:",
                         "        return ERR_NOT_SUPPORTED;", "    }"]))
    if calls:
        out.append("/* Replies that were put off with VX_RPC_LATER; sequence: of the request (vx_session.sequence). */")
        out += [late_reply(p, o) for o in calls]
    return "\n".join(out)
