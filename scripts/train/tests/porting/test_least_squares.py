import torch

from llara_train.porting.least_squares import fit_write


def test_a_write_is_found_up_to_the_streams_scale():
    torch.manual_seed(10)
    features, stream, weight, bias = torch.randn(400, 5), torch.randn(400, 3), torch.randn(3, 5), torch.randn(3)
    fitted = fit_write(features, stream, 0.25 * (stream + features @ weight.T + bias))
    assert fitted.residual < 1e-4
    torch.testing.assert_close(fitted.weight, weight, rtol=0, atol=0.02)
    torch.testing.assert_close(fitted.bias, bias, rtol=0, atol=0.02)
