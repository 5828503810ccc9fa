# SPDX-License-Identifier: MIT
"""gdb's view of a stopped VectraOS kernel: the commands `tasks`, `caps` and `rings`. `./vectra debug` loads this.

Nothing here runs code of the kernel: the structures are read, from the root Reticle down. They may show a list that was
just being changed. On aarch64 QEMU reads as the hart itself could, which in a program is not the kernel's memory.
"""

import gdb

DIRECTIONS = "Read Write eXecute Send V:receive A:wait G:signal Bind Copy Move K:revoke Destroy Inspect P:DMA"
LETTERS = "RWXSVAGBCMKDIP"
LONGEST = 100000  # a list that is longer is broken


def pointer(name):
    """The type of a pointer to that struct."""
    return gdb.lookup_type(f"struct {name}").pointer()


def entries(head, name, member):
    """The structs of an intrusive list."""
    kind = pointer(name)
    offset = next(f.bitpos // 8 for f in kind.target().fields() if f.name == member)
    node, end = head["next"], int(head.address)
    for _ in range(LONGEST):
        if int(node) in (end, 0):
            return
        yield gdb.Value(int(node) - offset).cast(kind)
        node = node["next"]


def objects():
    """Every kernel object, with the Reticle that pays for it."""
    reticles = [gdb.parse_and_eval("'kernel/init.c'::root.reticle")]
    while reticles:
        reticle = reticles.pop()
        yield from entries(reticle["objects"], "object", "home_node")
        reticles += [child.dereference() for child in entries(reticle["children"], "reticle", "sibling")]


def of_type(type_name, struct):
    """The objects of a type, as what they are."""
    wanted = int(gdb.parse_and_eval(type_name))
    return [o.cast(pointer(struct)) for o in objects() if int(o["type"]) == wanted]


def tasks():
    """Every Task, by id."""
    return sorted(of_type("VX_CAP_TASK", "task"), key=lambda task: int(task["id"]))


def short(value, prefix):
    """An enumerator without its prefix; a number where there is none."""
    return str(value).removeprefix(prefix).lower()


class View(gdb.Command):
    """A command that shows something of the kernel: its name, and `show`."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_STATUS)

    def invoke(self, argument, _from_tty):
        """Shows it, or says why not."""
        try:
            self.show(argument)
        except gdb.MemoryError:
            raise gdb.GdbError("the hart is in a program, from where the kernel cannot be read: "
                               "`thbreak sched_run`, `continue`, then again") from None

    def show(self, argument):
        """Prints the table."""
        raise NotImplementedError


class Tasks(View):
    """Every Task: its id, its parent's, band, state, threads, capabilities, free memory, name."""

    def show(self, _argument):
        print("   ID   PAR BAND    STATE    THR  CAPS  FREE KiB  NAME")
        for task in tasks():
            parent = task["parent"]
            band = task["band"].cast(gdb.lookup_type("enum vx_band"))
            state = task["state"].cast(gdb.lookup_type("enum vx_task_state"))
            print(f"{int(task['id']):5} {int(parent['id']) if int(parent) else 0:5} {short(band, 'VX_BAND_'):7} "
                  f"{short(state, 'VX_TASK_'):8} {int(task['n_threads']):3} {int(task['caps']['used']):5} "
                  f"{int(task['reticle']['free_pages']) * 4:9}  {task['name'].string()}")


class Caps(View):
    """caps ID: the capabilities of the Task with that id."""

    def show(self, argument):
        found = [task for task in tasks() if argument.isdigit() and int(task["id"]) == int(argument)]
        if not found:
            raise gdb.GdbError("caps ID: no Task has that id; `tasks` lists them")
        table, live = found[0]["caps"], 0
        kinds = gdb.lookup_type("enum vx_cap_type")
        print("HANDLE    TYPE     RIGHTS          OBJECT              OFFSET     LENGTH")
        for at in range(int(table["high"])):
            cap = table["slots"][at]
            if int(cap["type"]) == 0:
                continue
            live += 1
            rights = "".join(c if int(cap["rights"]) >> bit & 1 else "-" for bit, c in enumerate(LETTERS))
            print(f"{int(cap['handle']):08x}  {short(cap['type'].cast(kinds), 'VX_CAP_').upper():8} {rights}  "
                  f"{int(cap['obj']):#018x} {int(cap['offset']):#8x} {int(cap['length']):#10x}")
        print(f"{live} capabilities. Rights: {DIRECTIONS}")


class Rings(View):
    """Every Ring: slots, messages waiting, which ends are open and who is asleep."""

    def show(self, _argument):
        print("OBJECT              SLOTS  WAITING  PRODUCER      CONSUMER")
        for ring in of_type("VX_CAP_RING_TX", "ring"):
            shared = ring["shared"].dereference()
            waiting = (int(shared["head"]) - int(shared["tail"])) & 0xffffffff
            ends = [("open" if ring[f"{end}_open"] else "gone") + (", asleep" if int(shared[f"{who}_asleep"]) else "")
                    for end, who in (("tx", "producer"), ("rx", "consumer"))]
            print(f"{int(ring):#018x} {int(ring['slots']):6} {waiting:8}  {ends[0]:12}  {ends[1]}")


Tasks("tasks")
Caps("caps")
Rings("rings")
