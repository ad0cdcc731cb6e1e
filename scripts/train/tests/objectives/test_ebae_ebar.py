import numpy as np
import pytest
import torch

from llara_train.model.joint_pass import joint_batch, joint_states
from llara_train.model.source import load_source
from llara_train.objectives.bag_of_words import bag_of_words_nll
from llara_train.objectives.ebae_ebar import RELEASED_WEIGHTS, Adaptation, Weights


@pytest.mark.parametrize("weights", [Weights(), RELEASED_WEIGHTS, Weights(ebar=0)])
def test_the_module_adds_the_weighted_parts(checkpoint, weights):
    source = load_source(str(checkpoint), "released")
    bodies = [np.array(ids) for ids in source.tokenizer.encode(["Letters cross the sea.", "a wing gains lift"])]
    batch = joint_batch(bodies, source.prompts)
    loss, parts = Adaptation(source.model, weights)(batch, bodies, bodies[::-1])
    factors = torch.tensor([weights.ebae, weights.ebar, weights.causal_lm])
    assert loss.item() == pytest.approx((parts * factors).sum().item(), rel=1e-5)
    assert [part > 0 for part in parts.tolist()] == [factor > 0 for factor in factors.tolist()]
    if weights.pooling == "mean-state":
        own, _ = joint_states(source.model, batch)
        wanted = bag_of_words_nll(source.model.lm_head(own), bodies).sum()
        assert parts[0].item() == pytest.approx(wanted.item(), rel=1e-5)
