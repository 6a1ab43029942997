import java.io.StringWriter;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.PGConnection;

/** Reads masked values in every way that the driver has; prints what it read, a value a line. */
public class Masked {
    static Connection connect(String[] args, String mode, int threshold) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", args[1]);
        properties.setProperty("password", args[2]);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("preferQueryMode", mode);
        properties.setProperty("prepareThreshold", Integer.toString(threshold));
        return DriverManager.getConnection(args[0], properties);
    }

    static void say(String what, Object value) {
        System.out.println(what + "\t" + value);
    }

    static void values(String how, ResultSet rows) throws SQLException {
        ResultSetMetaData about = rows.getMetaData();
        while (rows.next()) {
            for (int n = 1; n <= about.getColumnCount(); n++) {
                Object value = rows.getObject(n);
                String text = value instanceof Array array ? java.util.Arrays.deepToString((Object[]) array.getArray()) : rows.getString(n);
                say(how + "." + about.getColumnName(n), text);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        String all = "select * from jdbc_people order by id";
        for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
            for (int threshold : new int[] {-1, 1, 5}) {
                try (Connection connection = connect(args, mode, threshold)) {
                    try (PreparedStatement again = connection.prepareStatement(all)) {
                        for (int n = 0; n < 7; n++) {
                            values(mode + threshold, again.executeQuery());
                        }
                    }
                    try (PreparedStatement one = connection.prepareStatement("select email from jdbc_people where id = ?")) {
                        for (int n = 0; n < 7; n++) {
                            one.setInt(1, 1 + n % 2);
                            values("one." + mode + threshold, one.executeQuery());
                        }
                    }
                }
            }
        }
        try (Connection connection = connect(args, "extended", 5)) {
            connection.setAutoCommit(false);
            try (Statement cursor = connection.createStatement()) {
                cursor.setFetchSize(1);
                values("cursor", cursor.executeQuery(all));
            }
            connection.setSavepoint();
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("select 1 / 0");
            } catch (SQLException exc) {
                say("error", exc.getSQLState());
            }
            connection.rollback();
            connection.setAutoCommit(true);
            StringWriter copied = new StringWriter();
            connection.unwrap(PGConnection.class).getCopyAPI().copyOut("copy jdbc_people to stdout", copied);
            say("copy", copied.toString().replace('\n', ' ').replace('\t', ' '));
            DatabaseMetaData about = connection.getMetaData();
            try (ResultSet tables = about.getTables(null, "public", "jdbc_people", null)) {
                say("tables", tables.next());
            }
            try (ResultSet columns = about.getColumns(null, "public", "jdbc_people", "email")) {
                say("columns", columns.next() ? columns.getString("TYPE_NAME") : "none");
            }
            try (ResultSet keys = about.getPrimaryKeys(null, "public", "jdbc_people")) {
                say("keys", keys.next() ? keys.getString("COLUMN_NAME") : "none");
            }
            try (Statement slow = connection.createStatement()) {
                slow.setQueryTimeout(1);
                slow.executeQuery("select count(*) from generate_series(1, 1e10)");
            } catch (SQLException exc) {
                say("timeout", exc.getSQLState());
            }
            say("after", connection.isValid(5));
        }
    }
}
