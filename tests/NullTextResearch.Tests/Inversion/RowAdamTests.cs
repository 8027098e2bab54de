using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

[LeavesNoTensors]
public class RowAdamTests
{
    [Fact]
    public void Update_ManySteps_EqualsTorchAdam()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor start = ScalarArithmetic.Range(12, ScalarType.Float64).Times(0.7).sin().reshape(3, 4);
        using Parameter parameter = new(start.clone());
        using optim.Optimizer theirs = optim.Adam([parameter], lr: 0.01);
        Tensor ours = start.clone();
        using RowAdam adam = new(new AdamOptions());
        for (int i = 0; i < 20; i++)
        {
            Tensor gradient = start.Times(i + 1).cos().Times(Math.Pow(10, -i % 5));
            parameter.grad = gradient.clone();
            theirs.step();
            adam.Update(ours, gradient, 0.01);
        }
        TensorAssert.Close(parameter, ours, 1e-15);
    }

    [Fact]
    public void Update_FirstStep_MovesEachEntryByTheRate()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = zeros(2, 3, dtype: ScalarType.Float64);
        using RowAdam adam = new(new AdamOptions());
        adam.Update(
            values,
            tensor(
                new[,]
                {
                    { 1.0, -2, 300 },
                    { -1e-3, 5, -7 },
                }
            ),
            0.01
        );
        TensorAssert.Close(
            tensor(
                new[,]
                {
                    { -0.01, 0.01, -0.01 },
                    { 0.01, -0.01, 0.01 },
                }
            ),
            values,
            1e-7
        );
    }

    [Fact]
    public void Select_SomeRows_KeepsTheirState()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Gradient(int i) => ScalarArithmetic.Range(12, ScalarType.Float64).Plus(i).cos().reshape(3, 4);
        Tensor all = zeros(3, 4, dtype: ScalarType.Float64);
        Tensor some = zeros(3, 4, dtype: ScalarType.Float64);
        using RowAdam first = new(new AdamOptions()),
            second = new(new AdamOptions());
        first.Update(all, Gradient(0), 0.01);
        second.Update(some, Gradient(0), 0.01);
        Tensor keep = tensor(new long[] { 0, 2 });
        second.Select(keep);
        some = some.index_select(0, keep);
        first.Update(all, Gradient(1), 0.01);
        second.Update(some, Gradient(1).index_select(0, keep), 0.01);
        TensorAssert.Close(all.index_select(0, keep), some, 0);
    }
}
