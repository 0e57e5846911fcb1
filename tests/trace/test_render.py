from pyovn.trace.render import detailed, minimal, summary
from pyovn.trace.tree import Node


def example() -> list[Node]:
    """A packet that is cloned, and goes on."""
    root = Node("table", "")
    ingress = root.add("pipeline", 'ingress(dp="sw", inport="a")')
    table = ingress.add("table", " 0. s0: 1, priority 1")
    table.add("action", "clone { output; };")
    clone = table.add("transformation", "clone")
    clone.add("action", "output;")
    clone.add("output", "c", type="")
    table.add("action", "eth.dst = eth.src;")
    table.add("modify", "eth.dst = 0a:00:00:00:00:01")
    table.add("action", "next;")
    second = table.add("table", " 1. s1: 1, priority 1")
    second.add("action", "ct_next;")
    second.add("transformation", "ct_next(ct_state=new|trk)")
    second.add("note", "/* No MAC binding. */")
    second.add("error", "*** TTL underflow")
    second.add("output", "p", type="patch", crosses=True)
    return root.children


def test_the_detailed_form_indents_all_but_what_comes_last() -> None:
    assert (
        detailed(example())
        == """
ingress(dp="sw", inport="a")
----------------------------
 0. s0: 1, priority 1
    clone { output; };

    clone
    -----
            output;
            /* output to "c", type "" */
    eth.dst = eth.src;
    next;
 1. s1: 1, priority 1
    ct_next;

    ct_next(ct_state=new|trk)
    -------------------------
    /* No MAC binding. */
    *** TTL underflow
    /* output to "p", type "patch" */
"""
    )


def test_the_summary_is_a_program() -> None:
    assert (
        summary(example())
        == """\
ingress(dp="sw", inport="a") {
    clone { output; };
    clone {
        output;
        /* output to "c", type "" */;
    };
    eth.dst = eth.src;
    next;
    ct_next;
    ct_next(ct_state=new|trk);
    /* No MAC binding. */
    *** TTL underflow;
    /* output to "p", type "patch" */;
};
"""
    )


def test_the_minimal_form_has_what_can_be_seen_from_outside() -> None:
    assert (
        minimal(example())
        == """\
clone {
    output("c");
};
eth.dst = 0a:00:00:00:00:01;
ct_next(ct_state=new|trk);
*** TTL underflow;
"""
    )
