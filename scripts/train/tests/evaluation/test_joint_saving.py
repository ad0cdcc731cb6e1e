import numpy as np

from llara_train.evaluation.joint_saving import LLAMA_2_7B, Shape, joint_share, operations


def test_operations_by_hand():
    shape = Shape(layers=2, hidden=3, intermediate=5, query_width=4, key_width=2)
    weights = 3 * 4 + 3 * 2 + 3 * 2 + 4 * 3 + 3 * (3 * 5)
    assert operations(shape, tokens=7, seen_pairs=28) == 2 * (2 * weights * 7 + 4 * 4 * 28)


def test_the_joint_pass_saves_what_the_paper_says():
    """36, 44 and 48 % at 44, 139 and 512 tokens of text, with prompts of about eight."""
    shares = [joint_share(LLAMA_2_7B, tokens, 8, 8) for tokens in (44, 139, 512)]
    assert np.allclose(shares, [0.58, 0.53, 0.51], atol=0.03)
