using NullTextResearch.TestKit;

namespace NullTextResearch.Figures.Tests;

/// <summary>Charts, tables and pages of a program whose culture has a decimal comma: the same, byte for byte.</summary>
public sealed class CultureTests
{
    [Fact]
    public void Charts_BuiltAndWritten_AreTheSame()
    {
        foreach (
            Func<Chart> chart in (Func<Chart>[])[() => SampleReport.Lines, () => SampleReport.Bars, () => SampleReport.Heatmap, () => SampleReport.Scatter]
        )
        {
            (string invariant, string odd) = OddCulture.Both(() =>
            {
                ChartBundle bundle = chart().Build();
                return bundle.PlotlyJson + bundle.ToCsv();
            });
            Assert.Equal(invariant, odd);
        }
    }

    [Fact]
    public void CsvAndTables_Written_AreTheSame()
    {
        (string invariant, string odd) = OddCulture.Both(() =>
            Csv.Write(
                ["a", "b"],
                [
                    [Csv.Number(-1234.5), Csv.Number(double.NaN)],
                ]
            )
            + new TableData(
                "t",
                ["x"],
                [
                    ["1.5"],
                ]
            ).ToCsv()
        );
        Assert.Equal("a,b\n-1234.5,NaN\nx\n1.5\n", odd);
        Assert.Equal(invariant, odd);
    }

    [Fact]
    public void Report_Written_IsTheSame()
    {
        (string invariant, string odd) = OddCulture.Both(() => SampleReport.Create().ToHtml());
        Assert.Equal(invariant, odd);
    }
}
