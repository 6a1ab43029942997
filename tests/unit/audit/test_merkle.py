"""The tree, against the published vectors of Certificate Transparency and against its definition."""

from hashlib import sha256

import pytest

from dbgate_core.audit import proofs
from dbgate_core.audit.merkle import EMPTY_ROOT, Tree, leaf_hash

INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_the_published_roots() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT == sha256(b"").digest()
    for data, root in zip(INPUTS, ROOTS, strict=True):
        tree.append(leaf_hash(bytes.fromhex(data)))
        assert tree.root().hex() == root


@pytest.mark.parametrize("count", range(70))
def test_a_grown_tree_is_the_defined_one(count: int) -> None:
    tree = Tree()
    for leaf in leaves(count):
        tree.append(leaf)
    assert tree.root() == proofs.root(leaves(count))
    again = Tree(count, tree.subtrees())
    again.append(b"x" * 32)
    tree.append(b"x" * 32)
    assert again.root() == tree.root()
    assert len(tree.subtrees()) == (count + 1).bit_count()


@pytest.mark.parametrize(
    ("size", "subtrees"), [(1, []), (2, [b"x" * 32] * 2), (0, [b"x" * 32]), (1, [b"x"]), (-1, [])]
)
def test_a_tree_does_not_resume_from_nonsense(size: int, subtrees: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"tree|hash"):
        Tree(size, subtrees)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 21, 32, 33])
def test_every_leaf_is_proven_and_no_other(size: int) -> None:
    hashes = leaves(size)
    root = proofs.root(hashes)
    for index, leaf in enumerate(hashes):
        proof = proofs.inclusion(hashes, index)
        assert proofs.includes(leaf, index, size, proof, root)
        assert not proofs.includes(leaf_hash(b"other"), index, size, proof, root)
        assert not proofs.includes(leaf, index + 1, size, proof, root)
        assert not proofs.includes(leaf, index, size, [*proof, root], root)
        assert not proofs.includes(leaf, index, size, proof[:-1], root) or size == 1
        assert not proofs.includes(leaf, index, size, proof, hashes[0]) or size == 1


@pytest.mark.parametrize("size", [2, 3, 7, 8, 9, 21])
def test_a_longer_tree_extends_a_shorter_one_and_no_other(size: int) -> None:
    hashes = leaves(size)
    root = proofs.root(hashes)
    for old in range(1, size + 1):
        before = proofs.root(hashes[:old])
        proof = proofs.consistency(hashes, old)
        assert proofs.extends(old, before, size, root, proof)
        other = proofs.root([leaf_hash(b"other"), *hashes[1:old]])
        assert not proofs.extends(old, other, size, root, proof)
        assert not proofs.extends(old, before, size, other, proof)
        assert not proofs.extends(old, before, size, root, [*proof, root])
    assert not proofs.extends(0, EMPTY_ROOT, size, root, [])


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="among"):
        proofs.inclusion(leaves(3), 3)
    with pytest.raises(ValueError, match="among"):
        proofs.consistency(leaves(3), 4)
